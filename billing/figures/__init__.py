"""The figures that a partner lives by: monthly recurring revenue, trial to paid, churn, time to activation."""

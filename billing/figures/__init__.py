"""Business figures: monthly recurring revenue, trial to paid, churn, time to activation."""

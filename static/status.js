// What happens with each location, live.

// How much time is left, in words.

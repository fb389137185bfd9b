"""From a program to what a backend can print."""

"""The calculus: chain rule, normal form of sums, and how a claim is judged."""

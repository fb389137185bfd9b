"""How much time is left."""

import time


class Budget:
    def __init__(self, seconds, now=time.monotonic):
        self.now, self.end = now, now() + seconds

    @property
    def left(self):
        return max(0.0, self.end - self.now())

    def part(self, share, least=0.0):
        """A budget of a share of what is left, and of at least so many seconds where they are left."""
        return Budget(min(self.left, max(least, share * self.left)), self.now)

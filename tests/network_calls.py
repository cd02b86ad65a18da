"""A gate in front of a network: what happens during a long job is tested without a clock, however busy the machine."""

import threading

PATIENCE_S = 120


class Calls:
    """The network calls of a model: how many there were, and a gate at which they can be made to wait."""

    def __init__(self):
        self.count, self.hold_if = 0, lambda: False
        self.held, self.gate = threading.Event(), threading.Event()

    def watching(self, denoiser):
        """Return a model's `denoiser` that counts its calls here, and waits when it is told to."""

        def watched_denoiser(*args):
            denoise = denoiser(*args)

            def watched(x_t, t):
                self._one_more()
                return denoise(x_t, t)

            return watched

        return watched_denoiser

    def _one_more(self) -> None:
        self.count += 1
        if self.hold_if():
            self.held.set()
            self.gate.wait(PATIENCE_S)

    def hold(self, act, until=lambda: True) -> None:
        """Do something, and return when a network call waits at the gate; it does so as soon as `until()`."""
        self.held.clear()
        self.gate.clear()
        self.hold_if = until
        act()
        assert self.held.wait(PATIENCE_S), "no network call came"

    def go_on(self) -> None:
        """Let all calls pass."""
        self.hold_if = lambda: False
        self.gate.set()

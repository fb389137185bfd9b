"""Time on the device, by CuPy's events or PyTorch's, and graphs; and the wall's, for a dry run without a device."""

import time

from bnsym.bench import device


class CupyClock(device.CupyClock):
    def graph(self, run, count):
        """A function that replays `count` runs, captured once."""
        stream = self.cupy.cuda.Stream(non_blocking=True)
        with stream:
            for _ in range(2):  # so that the pool has memory of this stream's before the capture
                kept = [run(k) for k in range(count)]
            stream.synchronize()
            del kept
            stream.begin_capture()
            try:
                kept = [run(k) for k in range(count)]
            finally:
                graph = stream.end_capture()

        def replay():
            graph.launch(self.cupy.cuda.get_current_stream())
            return kept  # results stay where the graph writes them

        return replay


class TorchClock(device.TorchClock):
    def graph(self, run, count):
        side = self.torch.cuda.Stream()
        side.wait_stream(self.torch.cuda.current_stream())
        with self.torch.cuda.stream(side):
            for k in range(count):
                run(k)
        self.torch.cuda.current_stream().wait_stream(side)
        graph = self.torch.cuda.CUDAGraph()
        with self.torch.cuda.graph(graph):
            kept = [run(k) for k in range(count)]

        def replay():
            graph.replay()
            return kept

        return replay


class WallClock:
    """For a stand-in, where all is done once it returns."""

    def event(self):
        return time.perf_counter()

    def milliseconds(self, first, last):
        return 1e3 * (last - first)

    def synchronize(self):
        """Nothing is under way."""

    def spin(self, milliseconds):
        """Nothing is queued."""

    def graph(self, run, count):
        return lambda: [run(k) for k in range(count)]

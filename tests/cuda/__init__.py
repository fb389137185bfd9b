"""CUDA kernels on the CPU: a header that g++ compiles in front of a .cu, and stand-ins for RawModule and CuPy."""

// Kernels for tests/test_cuda_shim.py: each with a fault that the shim has to catch. The tests name some lines.
#include <cooperative_groups.h>
namespace cg = cooperative_groups;

extern "C" __global__ void no_barrier(float *y) {
    __shared__ float s[64];
    s[threadIdx.x] = threadIdx.x;
    y[threadIdx.x] = s[63 - threadIdx.x];
}
extern "C" __global__ void no_second_barrier(float *y) {  // what one thread overwrites another has yet to read
    __shared__ float s[64];
    s[threadIdx.x] = threadIdx.x;
    __syncthreads();
    const float v = s[63 - threadIdx.x];
    s[threadIdx.x] = v + 100;
    __syncthreads();
    y[threadIdx.x] = v;
}
extern "C" __global__ void no_third_barrier(float *y) {  // a warp that goes on overwrites it, but not in its next step
    __shared__ float s[2];
    if (threadIdx.x % 32 == 0) s[threadIdx.x / 32] = 1;
    __syncthreads();
    y[threadIdx.x] = s[0] + s[1];
    for (int step = 0; step < 5; ++step) __syncwarp();
    s[threadIdx.x / 32] = 2;
}
extern "C" __global__ void wrong_merge(const float *x, float *y) {  // the warps' sums, less the last one's
    __shared__ float parts[2];
    float sum = x[threadIdx.x];
    for (int by = 16; by; by >>= 1) sum += __shfl_xor_sync(0xffffffff, sum, by);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
    __syncthreads();
    y[threadIdx.x] = parts[0];
}
extern "C" __global__ void reads_at(const float *x, long long i) { (void)((volatile float *)x)[i]; }
extern "C" __global__ void writes_at(float *x, long long i) { if (threadIdx.x == 5) x[i] = 1; }
extern "C" __global__ void four_at(float *x, long long i) { *(float4 *)(x + i) = make_float4(1, 2, 3, 4); }
extern "C" __global__ void past_shared(int i) {
    extern __shared__ float s[];
    ((volatile float *)s)[i] = 1;
}

extern "C" __global__ void some_sync() {
    if (threadIdx.x < 16) __syncthreads();  // some
}
extern "C" __global__ void one_leaves(int who) { if (threadIdx.x != who) __syncthreads(); }
extern "C" __global__ void two_syncs(int *y) {
    if (threadIdx.x < 16) __syncthreads();  // first
    else {
        __syncthreads();  // second
        y[0] = 1;
    }
}
extern "C" __global__ void sync_and_shuffle(int *y) {
    if (threadIdx.x < 16) __syncthreads();  // block
    else y[0] = __shfl_sync(0xffffffff, 1, 0);  // warp
}
extern "C" __global__ void two_shuffles(int *y) {
    if (threadIdx.x < 16) y[0] = __shfl_sync(0xffffffff, 1, 0);  // one
    else y[1] = __shfl_sync(0xffffffff, 2, 0);  // other
}
extern "C" __global__ void not_in_mask(int *y) { y[0] = __shfl_sync(0xffff, 1, 0); }
extern "C" __global__ void partners_left(float *y) {  // what lanes give that are not there is no number
    if (threadIdx.x < 16) y[threadIdx.x] = __shfl_xor_sync(0xffffffff, 1.0f, 16);
}
extern "C" __global__ void sleeps(volatile int *flag) { while (!*flag) __nanosleep(20); }
extern "C" __global__ void runs(volatile int *flag) { while (!*flag) {} }

__device__ int deep(int n) {
    volatile int room[64];
    room[n % 64] = n;
    return n == 0 ? 0 : deep(n - 1) + room[n % 64];
}
extern "C" __global__ void recursion(int *y) { y[0] = deep(100000); }
extern "C" __global__ void division(int *y) { y[0] = 100 / y[0]; }
extern "C" __global__ void asserts(int n) { assert(threadIdx.x < n); }
template <class T> __device__ void much() {
    __shared__ T s[8000];
    s[threadIdx.x] = 1;
}
extern "C" __global__ void too_much() { much<double>(); }
extern "C" __global__ void hint_at(float *x, long long i) { __stcs((float2 *)(x + i), make_float2(1, 2)); }
extern "C" __global__ void grid_sync(int leaves) {
    if (blockIdx.x == leaves) return;
    cg::this_grid().sync();
}
extern "C" __global__ void __cluster_dims__(2) leaves_cluster(float *y) {
    __shared__ float s[32];
    s[threadIdx.x] = 1;
    cg::this_cluster().sync();
    y[threadIdx.x] = cg::this_cluster().map_shared_rank(s, 1 - cg::this_cluster().block_rank())[threadIdx.x];
}
extern "C" __global__ void __cluster_dims__(2) no_cluster_sync(float *y) {
    __shared__ float s[32];
    s[threadIdx.x] = 1;
    const float *theirs = cg::this_cluster().map_shared_rank(s, 1 - cg::this_cluster().block_rank());
    y[32 * blockIdx.x + threadIdx.x] = theirs[threadIdx.x];
    cg::this_cluster().sync();
}

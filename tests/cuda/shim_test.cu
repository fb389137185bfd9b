// Kernels for tests/test_cuda_shim.py: sound ones.
#include <cooperative_groups.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
namespace cg = cooperative_groups;

__device__ int linear() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }

template <class T> __device__ __forceinline__ T warp_sum(T sum, int lanes) {
#pragma unroll
    for (int by = 16; by; by >>= 1) {
        const T other = __shfl_down_sync(0xffffffff, sum, by);
        if (linear() % 32 + by < lanes) sum += other;
    }
    return sum;
}

// Each block sums all of x.
extern "C" __global__ void __launch_bounds__(1024) reduce(const float *__restrict__ x, float *y, long long n) {
    __shared__ float parts[32];
    const int threads = blockDim.x * blockDim.y * blockDim.z, t = linear(), warps = (threads + 31) / 32;
    float sum = 0;
    for (long long i = t; i < n; i += threads) sum += x[i];
    sum = warp_sum(sum, min(32, threads - t / 32 * 32));
    if (t % 32 == 0) parts[t / 32] = sum;
    __syncthreads();
    if (t >= 32) return;
    sum = warp_sum(t < warps ? parts[t] : 0, min(32, warps));
    if (t == 0) y[blockIdx.x] = sum;
}

struct Affine {
    const float *x;
    float *y;
    long long n;
    double scale, shift;
};
extern "C" __global__ void affine(const Affine a) {
    const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < a.n) a.y[i] = a.scale * a.x[i] + a.shift;
}

extern "C" __global__ void scalars(double *y, int a, float b, long long c, double d, unsigned e, bool f, int g,
                                   __half h, const Affine s, float i) {
    const double all[] = {double(a), b, double(c), d, double(e), double(f), double(g), __half2float(h), s.scale, i};
    for (int k = 0; k < 10; ++k) y[k] = all[k];
}

namespace {
template <class T> __device__ void transpose(const float *x, float *y, int n) {
    extern __shared__ T room[];
    __shared__ float tile[8][9];
    tile[threadIdx.y][threadIdx.x] = x[threadIdx.y * n + threadIdx.x];
    __syncthreads();
    room[linear()] = tile[threadIdx.x][threadIdx.y];
    __syncthreads();
    if (linear() == 0) for (int i = 0; i < n * n; ++i) y[i] = room[i];
}
}  // namespace
extern "C" __global__ void transposed(const float *x, float *y) { transpose<float>(x, y, 8); }

extern "C" __global__ void to_16(const float *x, __half *h, __nv_bfloat16 *b) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    h[i] = __float2half_rn(x[i]);
    const float2 two = __bfloat1622float2(__floats2bfloat162_rn(x[i], 0));
    b[i] = __float2bfloat16(x[i]);
    if (two.x == two.x) assert(two.x == __bfloat162float(b[i]) && two.y == 0);
}
extern "C" __global__ void from_16(const __half *h, const __nv_bfloat16 *b, float *of_h, float *of_b) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    of_h[i] = __half2float(h[i]);
    of_b[i] = __bfloat162float(b[i]);
}

extern "C" __global__ void doubled(const float4 *x, float4 *y) {
    const float4 v = __ldcs(x + threadIdx.x);
    __stcs(y + threadIdx.x, make_float4(2 * v.x, 2 * v.y, 2 * v.z, 2 * v.w));
}

template <class T> __device__ void shuffle(T *y) {
    const int t = linear();
    const T v = T(t) * 3 - 40;
    y[t] = __shfl_sync(0xffffffff, v, t + 5);
    y[64 + t] = __shfl_xor_sync(0xffffffff, v, 9);
    y[128 + t] = __shfl_up_sync(0xffffffff, v, 3);
    y[192 + t] = __shfl_down_sync(0xffffffff, v, 7);
    y[256 + t] = __shfl_down_sync(0xffffffff, v, 5, 8);
    y[320 + t] = __shfl_xor_sync(0xffffffff, v, 17, 16);
}
extern "C" __global__ void shuffle_int(int *y) { shuffle(y); }
extern "C" __global__ void shuffle_unsigned(unsigned *y) { shuffle(y); }
extern "C" __global__ void shuffle_long(long long *y) { shuffle(y); }
extern "C" __global__ void shuffle_float(float *y) { shuffle(y); }
extern "C" __global__ void shuffle_double(double *y) { shuffle(y); }

extern "C" __global__ void votes(int *y, int bound) {
    const int p = threadIdx.x < bound;
    const int found[] = {(int)__ballot_sync(~0u, p), __any_sync(~0u, p), __all_sync(~0u, p), __syncthreads_count(p),
                         __syncthreads_or(p), __syncthreads_and(p)};
    for (int k = 0; k < 6; ++k) y[threadIdx.x * 6 + k] = found[k];
}

// Whichever block comes last merges what the others left, in a fixed order.
extern "C" __global__ void last_block(float *parts, unsigned *arrived, float *y) {
    __shared__ bool last;
    parts[blockIdx.x] = 1.0f / (blockIdx.x + 1);
    __threadfence();
    if (threadIdx.x == 0) last = atomicAdd(arrived, 1u) == gridDim.x - 1;
    __syncthreads();
    if (!last || threadIdx.x) return;
    float sum = 0;
    for (int b = 0; b < gridDim.x; ++b) sum += parts[b];
    *y = sum;
    *arrived = 0;
}

// Each block waits for the one after it (by = 1) or before it (by = -1), and counts on.
extern "C" __global__ void chain(volatile int *done, int by, int sleep) {
    __shared__ int before;
    const int other = blockIdx.x + by;
    if (threadIdx.x == 0) {
        const bool first = other < 0 || other >= gridDim.x;
        if (sleep) while (!first && !done[other]) __nanosleep(100);
        else while (!first && !atomicAdd((int *)done + other, 0)) {}
        before = first ? 0 : done[other];
    }
    __syncthreads();
    if (threadIdx.x == 1) done[blockIdx.x] = before + 1;
}

extern "C" __global__ void stages(float *a, float *b) {
    const auto grid = cg::this_grid();
    const int i = grid.thread_rank(), n = grid.size();
    a[i] = i;
    grid.sync();
    b[i] = a[n - 1 - i];
    grid.sync();
    a[i] = 2 * b[n - 1 - i];
}

extern "C" __global__ void __cluster_dims__(2, 2, 1) __launch_bounds__(32) neighbours(float *y) {
    extern __shared__ float mine[];
    cg::cluster_group cluster = cg::this_cluster();
    const unsigned rank = cluster.block_rank(), blocks = cluster.num_blocks();
    mine[threadIdx.x] = 100 * (blockIdx.y * gridDim.x + blockIdx.x) + threadIdx.x;
    cluster.sync();
    const float *theirs = cluster.map_shared_rank(mine, (rank + 1) % blocks);
    y[(blockIdx.y * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x] = theirs[threadIdx.x];
    cluster.sync();
}

extern "C" __global__ void unset(float *y) {
    __shared__ float fixed[32];
    extern __shared__ float dynamic[];
    y[threadIdx.x] = fixed[threadIdx.x];
    y[32 + threadIdx.x] = dynamic[threadIdx.x];
    fixed[threadIdx.x] = dynamic[threadIdx.x] = 1;
}

// Nothing happens for a long time, and then something does.
extern "C" __global__ void naps(int *done) {
    for (int k = 0; k < 1000; ++k) __nanosleep(100);
    *done = 1;
}

extern "C" __global__ void turns(int *log, unsigned *next) {
    const int t = linear() + 32 * blockIdx.x;
    log[atomicAdd(next, 1u)] = t;
    __syncthreads();
    log[atomicAdd(next, 1u)] = t;
}

extern "C" __global__ void arithmetic(double *y) {
    const float zero = 0, inf = 1 / zero, nan = zero / zero, tiny = 1e-40f;
    const double found[] = {
        double(isnan(nan)), double(isnan(0.0 / zero)), double(isinf(inf)), double(isfinite(1e308)),
        double(isinf(-1.0 / zero)), max(1, 2) + 0.0, min(3.5f, 2.0f), max(nan, 1.0f), fminf(nan, 2.0f),
        rsqrt(4.0) + rsqrtf(4.0f) + rsqrt(4.0f),
        sqrt(9.0f), sqrtf(16.0f), fma(2.0, 3.0, 4.0), __frcp_rn(4.0f), __fdividef(1.0f, 8.0f), double(tiny > 0),
        __uint_as_float(__float_as_uint(1.5f)), __longlong_as_double(__double_as_longlong(2.5)), min(3ll, 4ll) + 0.0,
        __popc(255u) + 0.0, __clz(1) + 0.0, __ffs(8) + 0.0, __umulhi(1u << 31, 4u) + 0.0, abs(-2.5f), abs(-3) + 0.0,
    };
    for (int k = 0; k < sizeof found / sizeof *found; ++k) y[k] = found[k];
}

// Cooperative groups: the block, the cluster, the grid.
#pragma once

namespace cooperative_groups {

struct thread_block {
    static void sync(int line = __builtin_LINE()) { shim::barrier(shim::SYNCTHREADS, false, line); }
    static unsigned thread_rank() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }
    static unsigned size() { return blockDim.x * blockDim.y * blockDim.z; }
    static unsigned num_threads() { return size(); }
    static dim3 group_index() { return blockIdx; }
    static dim3 thread_index() { return threadIdx; }
};

struct cluster_group {
    static void sync(int line = __builtin_LINE()) { shim::barrier(shim::CLUSTER_SYNC, false, line); }
    static unsigned block_rank() { return shim::block_rank; }
    static unsigned num_blocks() { return shim::cluster_size.x * shim::cluster_size.y * shim::cluster_size.z; }
    static unsigned thread_rank() { return shim::block_rank * thread_block::size() + thread_block::thread_rank(); }
    static unsigned num_threads() { return num_blocks() * thread_block::size(); }
    static unsigned size() { return num_threads(); }
    static dim3 dim_blocks() { return shim::cluster_size; }
    static dim3 block_index() {
        const dim3 &c = shim::cluster_size;
        return {blockIdx.x % c.x, blockIdx.y % c.y, blockIdx.z % c.z};
    }
    template <class T> static T *map_shared_rank(T *address, unsigned rank) {
        return (T *)shim::map_shared((const void *)address, rank);
    }
};

struct grid_group {
    static void sync(int line = __builtin_LINE()) { shim::barrier(shim::GRID_SYNC, false, line); }
    static bool is_valid() { return true; }
    static unsigned long long num_blocks() { return 1ull * gridDim.x * gridDim.y * gridDim.z; }
    static unsigned long long block_rank() {
        return blockIdx.x + 1ull * gridDim.x * (blockIdx.y + 1ull * gridDim.y * blockIdx.z);
    }
    static unsigned long long thread_rank() {
        return block_rank() * thread_block::size() + thread_block::thread_rank();
    }
    static unsigned long long size() { return num_blocks() * thread_block::size(); }
};

inline thread_block this_thread_block() { return {}; }
inline cluster_group this_cluster() { return {}; }
inline grid_group this_grid() { return {}; }
template <class Group> void sync(const Group &group, int line = __builtin_LINE()) { group.sync(line); }

}  // namespace cooperative_groups

// CUDA's vector types: the same names, sizes and alignments.
#pragma once

#define SHIM_VECTOR(name, type, bytes)                                                        \
    struct name##1 { type x; };                                                               \
    struct alignas(2 * bytes) name##2 { type x, y; };                                         \
    struct name##3 { type x, y, z; };                                                         \
    struct alignas(4 * bytes > 16 ? 16 : 4 * bytes) name##4 { type x, y, z, w; };             \
    inline name##1 make_##name##1(type x) { return {x}; }                                     \
    inline name##2 make_##name##2(type x, type y) { return {x, y}; }                          \
    inline name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; }               \
    inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }

SHIM_VECTOR(char, signed char, 1)
SHIM_VECTOR(uchar, unsigned char, 1)
SHIM_VECTOR(short, short, 2)
SHIM_VECTOR(ushort, unsigned short, 2)
SHIM_VECTOR(int, int, 4)
SHIM_VECTOR(uint, unsigned, 4)
SHIM_VECTOR(longlong, long long, 8)
SHIM_VECTOR(ulonglong, unsigned long long, 8)
SHIM_VECTOR(float, float, 4)
SHIM_VECTOR(double, double, 8)

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
};

// Half precision: 2 bytes, computed in float. The compiler's _Float16 rounds to nearest, ties to even, as CUDA's does.
#pragma once

inline float shim_half_to_float(unsigned short bits) { return float(shim::bits<_Float16>(bits)); }
inline unsigned short shim_float_to_half(float x) {
    return x != x ? 0x7fff : shim::bits<unsigned short>(_Float16(x));  // CUDA has one NaN here
}

struct alignas(2) __half {
    unsigned short __x;
    __half() = default;
    __half(float x) : __x(shim_float_to_half(x)) {}
    operator float() const { return shim_half_to_float(__x); }
};
using half = __half;
struct alignas(4) __half2 {
    __half x, y;
};
using half2 = __half2;

inline float __half2float(__half h) { return h; }
inline __half __float2half(float x) { return x; }
inline __half __float2half_rn(float x) { return x; }
inline __half __double2half(double x) {
    __half h;
    h.__x = x != x ? 0x7fff : shim::bits<unsigned short>(_Float16(x));
    return h;
}
inline unsigned short __half_as_ushort(__half h) { return h.__x; }
inline __half __ushort_as_half(unsigned short bits) {
    __half h;
    h.__x = bits;
    return h;
}
inline float2 __half22float2(__half2 h) { return {h.x, h.y}; }
inline float __low2float(__half2 h) { return h.x; }
inline float __high2float(__half2 h) { return h.y; }
inline __half2 __halves2half2(__half x, __half y) { return {x, y}; }
inline __half2 make_half2(__half x, __half y) { return {x, y}; }
inline __half2 __floats2half2_rn(float x, float y) { return {x, y}; }
inline __half2 __float22half2_rn(float2 v) { return {v.x, v.y}; }

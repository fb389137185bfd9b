// assert: a launch that ends with a sentence, where the C library would end the process. May be included again.
#undef assert
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition) ((condition) ? (void)0 : shim::fail("assertion failed in line %d: %s", __LINE__, #condition))
#endif

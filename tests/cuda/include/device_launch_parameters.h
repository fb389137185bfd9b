// All that it declares is in shim.h.

"""`bnsym check-backward`: somebody's backward, run on probes; what is wrong with it is named by the derived terms."""

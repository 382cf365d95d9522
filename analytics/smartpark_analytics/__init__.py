"""Pure numpy: registers to energy, coal equivalent, carbon. No I/O, no clock."""

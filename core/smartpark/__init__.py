"""The shared vocabulary: quantities, catalogue, wire format, factors, the smartpark command."""

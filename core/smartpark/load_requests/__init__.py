"""Load requests (业扩报装): what is asked of the utility, its stages, limits and clocks.

Pure: events in, states and days out. It reads no database and knows no present moment; who may do what is not decided
here either.
"""

"""Who asks, what they may do, how often, and what is written down of it: every request passes here.

Rights are decided in `smartpark.access`, kept in the database, and held by the database too; this package asks.
"""

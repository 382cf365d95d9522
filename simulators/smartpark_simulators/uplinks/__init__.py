"""The other side of uplinks: platforms that take what they are told, and fail where somebody wants them to."""

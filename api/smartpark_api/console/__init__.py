"""What every page of the console shares: who says they are here, forms that only our own pages can send, messages.

There is no log-in yet. A person says who they are; the cookie keeps it from being changed, it proves nothing.
"""

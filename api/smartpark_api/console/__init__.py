"""What every page of the console shares: who says they are here, forms that only our own pages can send, messages.

Who acts is whoever is logged in; in local mode a person says who they are, which is kept and proves nothing.
"""

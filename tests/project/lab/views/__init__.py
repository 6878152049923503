"""One module per page; each shows one thing that djust does."""

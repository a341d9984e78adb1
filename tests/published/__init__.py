"""Published accounts, computed again through the public interface.

One module per source gives functions from the inputs of a case to the numbers it expects;
`register` says which case is held by which function, what of it is not, and why.
"""

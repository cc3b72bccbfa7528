//! What a vault may answer, each played by a server that says one thing.

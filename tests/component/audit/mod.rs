//! Reading what became of a removal.

mod get_removal;

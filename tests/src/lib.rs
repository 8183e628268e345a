//! Tests of the whole: architecture, determinism, golden journals, end to end. The library part
//! holds only what several of them share.

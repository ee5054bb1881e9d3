//! RPIQ: makes 4-bit weights offline. One algorithm per file, pure functions on matrices; `pipeline` walks a model layer by
//! layer with bounded memory; `eval` measures what was made.

// Work in pieces on all cores, for libraries that are called with one thread each.
#pragma once

#include <cstdint>
#include <functional>

// As many threads as the process may use cores, unless TF_NUM_INTRAOP_THREADS, which TensorFlow obeys, says otherwise.
int threadCount();

// Calls piece(0) ... piece(count - 1), each once, in any order and on several threads, and returns when all have ended.
// The caller works too; several callers may come at the same time. Pieces must not throw.
void inPieces(int64_t count, const std::function<void(int64_t)>& piece);

// Equal tasks on all cores, where there is enough to do.
#pragma once

#include <algorithm>

#include "threads.h"

// How many operations are worth waking another thread for; about 0.1 ms.
constexpr double WORTH_A_THREAD = 4e6;

// Does `count` equal tasks of `operations` each, on several threads where that pays, small ones many to a piece.
template <typename Task>
void inTasks(int64_t count, double operations, const Task& task) {
  const int64_t together = std::max<int64_t>(1, static_cast<int64_t>(WORTH_A_THREAD / 4 / std::max(1.0, operations)));
  const int64_t pieces = count * operations < WORTH_A_THREAD ? 1 : (count + together - 1) / together;
  const int64_t length = (count + pieces - 1) / std::max<int64_t>(1, pieces);
  inPieces(pieces, [&](int64_t piece) {
    const int64_t end = std::min(count, (piece + 1) * length);
    for (int64_t i = piece * length; i < end; i++) task(i);
  });
}

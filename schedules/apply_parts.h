// The pieces of apply.cpp: one function per kind of kernel. Layers are `kernel_shape`s.
#pragma once

#include "dsl/algorithms.h"
#include "schedules/schedule.h"

#include <vector>

namespace edgefront {

using Loops = std::vector<Halide::VarOrRVar>;

/// Orders a stage's loops, innermost first: `vectors` and `unrolled` are one straight piece of
/// code, run for every turn of `loops`.
void order_stage(Halide::Stage stage, const Loops &vectors, const Loops &unrolled,
                 const Loops &loops);

/// Exact tiles where they divide the extent.
Halide::TailStrategy tail(int extent, int step,
                          Halide::TailStrategy otherwise = Halide::TailStrategy::ShiftInwards);

/// Norms and softmax.
void schedule_statistics(const Layer &layer, const Schedule &s, Algorithm &a);
/// Scores and contexts.
void schedule_attention(const Layer &layer, const Schedule &s, Algorithm &a);
void schedule_concat(const Schedule &s, Algorithm &a);
/// Channel shuffles, unfold and fold: a copy between two views of memory.
void schedule_move(const Layer &layer, const Schedule &s, Algorithm &a);

} // namespace edgefront

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts that lb_metrics() is put together from. */
#pragma once

#include "metrics-text.h"

struct lb_container;

/* What is known of each container. */
int metrics_add_containers(struct lb_context *ctx, struct lb_container *const *containers, struct metrics_text *text);

/* The root's disk, networks, bases. What cannot be told is left out, with a warning. */
void metrics_add_host(struct lb_context *ctx, struct metrics_text *text);

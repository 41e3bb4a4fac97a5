/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the last backup of a container went, as list, info and status show it. */
#pragma once

#include <layerbox.h>

#include "output.h"

/* An object with last_run, last_success, result, error; null where none was tried. */
json_t *backup_outcome_to_json(const struct lb_container *container);

/* For people: when, and what is wrong; "" where none was tried. */
json_t *backup_outcome_to_text(const struct lb_container *container);

/* One word: "ok", "FAILED", "old" (the last good one is more than two days old), "-" where none was tried. */
const char *backup_outcome_mark(const struct lb_container *container);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What programs of the host have in their environment that are told of a container: LAYERBOX_CONTAINER and the like. */
#pragma once

#include "../util/text.h"

/* Adds the caller's environment without names that begin with LAYERBOX_, which are ours to give; -ENOMEM or 0. */
int environment_begin(struct text_list *env);

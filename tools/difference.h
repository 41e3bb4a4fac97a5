/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How differences are shown: those of generations of bases, and those of states of containers. */
#pragma once

#include <jansson.h>
#include <layerbox.h>

struct difference_show {
	const char *base;             /* in each object, where several are looked at; or NULL */
	json_t *rows;                 /* NULL: print lines */
	bool packages, files;
};

/* lb_difference_fn; @userdata is a struct difference_show. */
void difference_show_one(const struct lb_difference *difference, void *userdata);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a set of installed packages has to offer to relations: each package's name, and what it provides. */
#pragma once

#include "package-db.h"
#include "relation.h"

struct provision {
	struct slice name;
	struct slice version;         /* empty where something is provided without one */
	const struct package *package;
};

/* Zero-initialise. Sorted and searched, not hashed: no names in a hostile database make that slow. */
struct provisions {
	struct provision *items;
	size_t count, capacity;
};

/* Adds a package, if it is installed. -ENOMEM or 0. */
int provisions_add(struct provisions *provisions, const struct package *package);

/* To be called once, behind the last that is added. */
void provisions_sort(struct provisions *provisions);

void provisions_free(struct provisions *provisions);

/* The first called @name, those behind it go on up to the end of the array; NULL where there is none. */
const struct provision *provisions_find(const struct provisions *provisions, struct slice name);

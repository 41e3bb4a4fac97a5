/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The three versions of a text that a merge looks at; NULL where there is none. */
#pragma once

struct three_texts {
	const char *old;              /* in the container's generation */
	const char *new;              /* in the generation it goes to */
	const char *own;              /* as the container has it */
};

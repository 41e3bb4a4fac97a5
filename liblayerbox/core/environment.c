/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "environment.h"

#include <unistd.h>

int environment_begin(struct text_list *env)
{
	int r = 0;

	for (char **item = environ; r == 0 && *item; item++)
		if (!text_after(*item, "LAYERBOX_"))
			r = text_list_add(env, *item);
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tally.h"

void tally_tell(struct tally *tally, const char *name, int r)
{
	if (r < 0 && tally->result >= 0)
		tally->result = r;
	if (r == 0 && tally->result == 1)
		tally->result = 0;
	if (tally->fn)
		tally->fn(name, r, r < 0 ? tally->ctx->error : "", tally->userdata);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hold LXCPATH NAME SECONDS - keeps a container frozen until its input ends, for freeze.bats. Says `held HELPER` and the
 * helper's pid, then `released MICROSECONDS`; or `failed` and the sentence.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../liblayerbox/adapters/freeze.h"

int main(int argc, char **argv)
{
	struct lb_context *context = NULL;
	struct freeze freeze;
	int r;

	if (argc != 4 || lb_context_new(NULL, &context) < 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	r = freeze_hold(context, argv[1], argv[2], (unsigned)atoi(argv[3]), &freeze);
	if (r == 0) {
		printf("held %d\n", (int)freeze.pid);
		while (getchar() != EOF)
			;
		r = freeze_release(&freeze);
	}
	if (r == 0)
		printf("released %llu\n", (unsigned long long)freeze.frozen_us);
	else
		printf("failed %s\n", lb_context_error(context));
	lb_context_free(context);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ROOT/rebase-answers: what was decided about questions, for all containers. Lines of QUESTION ANSWER. */
#pragma once

#include "../core/context.h"

enum answer {
	ANSWER_NONE,
	ANSWER_KEEP,                  /* the container's stays */
	ANSWER_BASE,                  /* the base's is taken */
};

struct answers {
	struct text_list lines;       /* sorted */
};

int answers_load(struct lb_context *ctx, struct answers *ret_answers);
void answers_free(struct answers *answers);

enum answer answers_find(const struct answers *answers, const char *question);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "findings.h"

void found(struct findings *findings, bool repaired, const char *subject, const char *problem, const char *remedy)
{
	const struct lb_finding finding = {
		.size = sizeof finding,
		.subject = subject,
		.problem = problem,
		.remedy = remedy,
		.repaired = repaired,
	};

	findings->remaining += !repaired;
	if (findings->fn)
		findings->fn(&finding, findings->userdata);
}

void found_and_repaired(struct findings *findings, int r, const char *subject, const char *problem, const char *done,
			const char *remedy)
{
	if (!findings->repair)
		found(findings, false, subject, problem, remedy);
	else if (r < 0)
		found(findings, false, subject, problem, lb_context_error(findings->ctx));
	else
		found(findings, true, subject, problem, done);
}

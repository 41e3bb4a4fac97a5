/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inside.h"

#define HELPER PKGLIBEXECDIR "/layerbox-inside"

/* What the helper ends with when the program was not begun; the sentence stands behind its name. */
enum { STATUS_NOT_RUN = 125 };

static int make_arguments(const struct inside *inside, const char *const *argv, struct text_list *words)
{
	int r = text_list_add(words, HELPER);

	if (r == 0 && inside->reader)
		r = text_list_add(words, "--reader");
	if (r == 0 && inside->network)
		r = text_list_add(words, "--network");
	if (r == 0 && inside->id_count)
		r = text_list_format(words, "--map=%u:%u", inside->id_start, inside->id_count);
	if (r == 0 && inside->ids_first)
		r = text_list_format(words, "--ids=%u-%u", inside->ids_first, inside->ids_last);
	if (r == 0 && inside->script)
		r = text_list_format(words, "--script=%s", inside->script);
	if (r == 0)
		r = text_list_format(words, "--upper=%s", inside->upper);
	if (r == 0)
		r = text_list_format(words, "--work=%s", inside->work);
	if (r == 0)
		r = text_list_format(words, "--layers=%s", inside->layers);
	for (size_t i = 0; r == 0 && inside->lowers[i]; i++)
		r = text_list_format(words, "--lower=%s", inside->lowers[i]);
	if (r == 0)
		r = text_list_add(words, "--");
	for (; r == 0 && *argv; argv++)
		r = text_list_add(words, *argv);
	return r;
}

int inside_run(struct lb_context *ctx, const struct inside *inside, const char *const *argv, int *ret_status,
	       char **ret_output)
{
	const struct spawn_options options = {
		.env = inside->env,
		.output_fd = inside->output_fd,
		.own_namespaces = true,
		.timeout_s = inside->timeout_s,
		.on_line = inside->on_line,
		.raw_lines = inside->raw_lines,
		.end_fd = inside->end_fd,
		.userdata = inside->userdata,
	};
	CLEANUP_TEXT_LIST struct text_list words = { 0 };
	CLEANUP_FREE char *output = NULL;
	const char *why;
	int status, r;

	if (make_arguments(inside, argv, &words) < 0)
		return fail_memory(ctx);
	r = spawn_run((const char *const *)words.items, &options, &status, &output);
	if (r == -ENOENT)
		return fail(ctx, -LB_ERR_NO_PROGRAM, "the program " HELPER " is missing; install layerbox again");
	if (r == -ETIMEDOUT)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED, "%s did not end in time, and was killed", argv[0]);
	if (r < 0)
		return fail_errno(ctx, r, "cannot run " HELPER);
	why = status == STATUS_NOT_RUN ? text_after(output, "layerbox-inside: ") : NULL;
	if (why)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED, "%s cannot be run in %s: %.1000s", argv[0], inside->lowers[0],
			    text_printable(text_trim(output + (why - output))));
	*ret_status = status;
	if (ret_output)
		*ret_output = TAKE_PTR(output);
	return 0;
}

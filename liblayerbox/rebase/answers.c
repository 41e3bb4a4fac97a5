/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answers.h"

#include "../adapters/rights.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../util/file.h"

enum { FILE_BYTES_MAX = 16 << 20, QUESTION_LENGTH = 16 };

static bool is_question(const char *text)
{
	return strlen(text) == QUESTION_LENGTH && strspn(text, "0123456789abcdef") == QUESTION_LENGTH;
}

int answers_load(struct lb_context *ctx, struct answers *ret_answers)
{
	CLEANUP_FREE char *text = NULL;
	struct answers answers = { 0 };
	char *save = NULL;
	int r = store_open(ctx);

	if (r < 0)
		return r;
	r = file_read(ctx->root_fd, STORE_ANSWERS, FILE_BYTES_MAX, &text, NULL);
	if (r < 0 && r != -ENOENT)
		return fail_errno(ctx, r, "cannot read %s/" STORE_ANSWERS, ctx->config.root);
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		if (*line != '#' && text_list_add(&answers.lines, line) < 0) {
			answers_free(&answers);
			return fail_memory(ctx);
		}
	text_list_sort(&answers.lines);
	*ret_answers = answers;
	return 0;
}

void answers_free(struct answers *answers)
{
	text_list_free(&answers->lines);
}

static const char *find_line(const struct answers *answers, const char *question)
{
	size_t n = strlen(question);

	for (size_t i = 0; i < answers->lines.count; i++)
		if (strncmp(answers->lines.items[i], question, n) == 0 && answers->lines.items[i][n] == ' ')
			return answers->lines.items[i];
	return NULL;
}

enum answer answers_find(const struct answers *answers, const char *question)
{
	const char *line = find_line(answers, question), *word = line ? line + strlen(question) + 1 : "";

	return text_equal(word, "keep") ? ANSWER_KEEP : text_equal(word, "base") ? ANSWER_BASE : ANSWER_NONE;
}

static int save(struct lb_context *ctx, const struct answers *answers, const char *question, const char *answer)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	const char *old = find_line(answers, question);
	int r;

	buffer_add_text(&text, "# Answers to questions of `layerbox rebase`, for all containers; change them with "
			       "--answer.\n");
	for (size_t i = 0; i < answers->lines.count; i++)
		if (answers->lines.items[i] != old)
			buffer_format(&text, "%s\n", answers->lines.items[i]);
	if (*answer)
		buffer_format(&text, "%s %s\n", question, answer);
	if (text.failed)
		return fail_memory(ctx);
	r = file_write(ctx->root_fd, STORE_ANSWERS, text.data, text.length, 0644, FILE_DURABLE);
	return r < 0 ? fail_errno(ctx, r, "cannot write %s/" STORE_ANSWERS, ctx->config.root) : 0;
}

int lb_rebase_answer(struct lb_context *ctx, const char *question, const char *answer)
{
	struct answers answers = { 0 };
	CLEANUP_FD int lock = -1;
	int r;

	if (!is_question(question))
		return fail(ctx, -LB_ERR_BAD_VALUE,
			    "\"%.40s\" is not the id of a question; `layerbox rebase --all --dry-run` shows them",
			    question);
	if (*answer && !text_equal(answer, "keep") && !text_equal(answer, "base"))
		return fail(ctx, -LB_ERR_BAD_VALUE,
			    "an answer is keep (the container's stays) or base (the base's is taken)");
	r = rights_require_root(ctx);
	if (r < 0)
		return r;
	lock = lock_root(ctx);
	r = lock < 0 ? lock : answers_load(ctx, &answers);
	if (r < 0)
		return r;
	if (answers_find(&answers, question) == ANSWER_NONE && !*answer)
		r = 1;
	else
		r = save(ctx, &answers, question, answer);
	answers_free(&answers);
	return r;
}

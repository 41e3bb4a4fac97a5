/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What restic says when it has failed: lines for people, or with --json objects with the lines in them. */
#include <jansson.h>

#include "restic.h"

enum { LINES_KEPT = 6, STATUS_NO_REPOSITORY = 10, STATUS_LOCKED = 11, STATUS_WRONG_PASSWORD = 12, STATUS_SIGNAL = 128 };

/* Adds the lines of @text to @lines, without what says nothing. */
static int take_lines(char *text, struct text_list *lines)
{
	char *save = NULL;
	int r = 0;

	for (char *line = strtok_r(text, "\r\n", &save); r == 0 && line; line = strtok_r(NULL, "\r\n", &save)) {
		const char *fatal = text_after(text_trim(line), "Fatal: ");
		const char *said = fatal ? fatal : text_trim(line);

		if (*said)
			r = text_list_add(lines, text_printable(line + (said - line)));
	}
	return r;
}

/* The message of an object as newer ones print it with --json; NULL where @line is none. The caller's. */
static char *message_of(const char *line)
{
	json_t *object = *line == '{' ? json_loads(line, 0, NULL) : NULL;
	const char *message = json_string_value(json_object_get(object, "message"));
	char *copy = message ? strdup(message) : NULL;

	json_decref(object);
	return copy;
}

/* Its last lines, with semicolons between them. The caller's, NULL without memory. */
static char *words_of(char *output)
{
	CLEANUP_TEXT_LIST struct text_list lines = { 0 };
	CLEANUP_BUFFER struct buffer words = { 0 };
	char *save = NULL;
	int r = 0;

	for (char *line = strtok_r(output, "\r\n", &save); r == 0 && line; line = strtok_r(NULL, "\r\n", &save)) {
		CLEANUP_FREE char *message = message_of(line);

		r = take_lines(message ? message : line, &lines);
	}
	for (size_t i = lines.count > LINES_KEPT ? lines.count - LINES_KEPT : 0; r == 0 && i < lines.count; i++)
		buffer_format(&words, "%s%s", words.length ? "; " : "", lines.items[i]);
	if (r == 0 && !words.length)
		buffer_add_text(&words, "it did not say why");
	return r < 0 ? NULL : buffer_finish(&words);
}

static bool says(const char *words, const char *part)
{
	return strstr(words, part);
}

int restic_failed(struct lb_context *ctx, int status, char *output)
{
	CLEANUP_FREE char *words = words_of(output);

	if (!words)
		return fail_memory(ctx);
	if (says(words, "no space left on device"))
		return fail(ctx, -ENOSPC, "the repository for backups is on a full disk: %.1500s", words);
	if (status == STATUS_LOCKED || says(words, "repository is already locked"))
		return fail(ctx, -LB_ERR_NO_REPOSITORY,
			    "the repository for backups is locked: %.1500s. Wait until that has ended; where it was killed, "
			    "`layerbox backup unlock` takes its lock away",
			    words);
	if (status == STATUS_WRONG_PASSWORD || says(words, "wrong password or no key found"))
		return fail(ctx, -LB_ERR_NO_REPOSITORY,
			    "the repository for backups has another password than the one that %s names: %.1500s",
			    ctx->config_file, words);
	if (status == STATUS_NO_REPOSITORY || says(words, "Is there a repository at the following location"))
		return fail(ctx, -LB_ERR_NO_REPOSITORY,
			    "there is no repository for backups, or it cannot be reached: %.1500s. `layerbox backup init` makes one",
			    words);
	if (says(words, "unable to open repository") || says(words, "Resolving password failed"))
		return fail(ctx, -LB_ERR_NO_REPOSITORY, "the repository for backups cannot be opened: %.1500s", words);
	if (says(words, "repository contains errors"))
		return fail(ctx, -LB_ERR_DAMAGED, "the repository for backups is damaged: %.1500s", words);
	if (status > STATUS_SIGNAL)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED, "restic was ended by signal %d: %.1500s", status - STATUS_SIGNAL, words);
	return fail(ctx, -LB_ERR_PROGRAM_FAILED, "restic failed with status %d: %.1500s", status, words);
}

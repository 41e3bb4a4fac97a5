/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "words.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *action, *done;
} commands[] = {
	{ "create", "created" },
	{ "clone", "cloned" },
	{ "import", "imported" },
	{ "move", "moved" },
	{ "move-back", "moved back" },
	{ "delete", "deleted" },
	{ "rename", "renamed" },
	{ "start", "started" },
	{ "stop", "stopped" },
	{ "kill", "killed" },
	{ "freeze", "frozen" },
	{ "thaw", "thawed" },
	{ "snapshot", "snapshot made" },
	{ "snapshot-delete", "snapshot deleted" },
	{ "restore", "restored" },
	{ "rebase", "rebased" },
	{ "undo", "rebase undone" },
	{ "confirm", "rebase confirmed" },
	{ "backup", "backed up" },
	{ "set", "set" },
	{ "base-build", "base built" },
	{ "base-import", "base imported" },
	{ "base-upgrade", "base upgraded" },
	{ "base-delete", "base deleted" },
};

void event_words(const char *action, bool failed, char *ret_words, size_t size)
{
	const char *done = NULL;

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].action, action) == 0)
			done = commands[i].done;
	if (done && failed)
		snprintf(ret_words, size, "%s failed", action);
	else
		snprintf(ret_words, size, "%s", done ? done : action);
}

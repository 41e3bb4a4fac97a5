/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operations of a transaction: each is prepared in new/, and planned. */
#include <fcntl.h>

#include "../util/file.h"
#include "../util/tree-copy.h"
#include "../util/tree.h"
#include "transaction-private.h"
#include "tree-print.h"

static int check_usable(const struct transaction *transaction)
{
	if (transaction->over)
		return fail(transaction->ws.ctx, -EINVAL,
			    "the rebase of container '%s' has failed and been undone already", transaction->ws.name);
	return 0;
}

/* new/NUMBER is prepared: notes what it is like, and that it shall be at @path. */
static int add_move_in(struct transaction *transaction, const char *path, const struct place *place, unsigned number)
{
	struct workspace_name name = workspace_number(number, "");
	uint64_t print = 0;
	struct stat st;
	int r;

	if (fstatat(transaction->ws.new_fd, name.text, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return workspace_fail(&transaction->ws, errno, "prepare", path);
	/* One that is too deep to be read will count as changed. */
	if (S_ISDIR(st.st_mode) && tree_print(transaction->ws.new_fd, name.text, &print) == 0)
		st.st_size = (off_t)print;
	r = journal_add(&transaction->moves, place->exists ? JOURNAL_REPLACE : JOURNAL_IN, number, NULL, &st, path);
	if (r < 0)
		return fail_memory(transaction->ws.ctx);
	return plan_change(transaction, path, place, number, &st);
}

/* Finds the place of something new, and a number for it. */
static int begin_put(struct transaction *transaction, const char *path, struct place *ret_place, unsigned *ret_number)
{
	int r = check_usable(transaction);

	if (r == 0)
		r = plan_find(transaction, path, true, ret_place);
	if (r == 0)
		*ret_number = transaction->next++;
	return r;
}

/* ---- directories that are missing ---- */

/*
 * As the base has it; without opaque mark, so what the base has in it shows. 1 where the base has nothing there. A base
 * that has a file or a link there would be hidden with all that the link leads to, which nobody can have meant.
 */
static int copy_from_below(struct transaction *transaction, const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	CLEANUP_FREE char *parent = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	CLEANUP_FD int fd = -1;
	struct stat st;

	if (!parent)
		return -ENOMEM;
	if (transaction->below_fd < 0)
		return 1;
	fd = tree_open_beneath(transaction->below_fd, parent, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return workspace_is_absent(fd) ? 1 : fd;
	if (fstatat(fd, slash ? slash + 1 : path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 1 : -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return tree_copy_entry(fd, slash ? slash + 1 : path, transaction->ws.new_fd, name, NULL);
}

int put_directory(struct transaction *transaction, const char *path, const struct place *place)
{
	unsigned number = transaction->next++;
	struct workspace_name name = workspace_number(number, "");
	int r = copy_from_below(transaction, path, name.text);

	if (r == 1)
		r = mkdirat(transaction->ws.new_fd, name.text, 0755) < 0 ||
				    fchmodat(transaction->ws.new_fd, name.text, 0755, 0) < 0
			    ? -errno
			    : 0;
	if (r < 0)
		return workspace_fail(&transaction->ws, r, "prepare the directory", path);
	return add_move_in(transaction, path, place, number);
}

/* ---- operations ---- */

void transaction_set_below(struct transaction *transaction, int base_fd)
{
	transaction->below_fd = base_fd;
}

int transaction_drop(struct transaction *transaction, const char *path)
{
	struct place place;
	unsigned number;
	int r = check_usable(transaction);

	if (r == 0)
		r = plan_find(transaction, path, false, &place);
	if (r < 0)
		return r;
	if (!place.exists)
		return workspace_fail(&transaction->ws, ENOENT, "drop", path);
	number = transaction->next++;
	if (journal_add(&transaction->moves, JOURNAL_OUT, number, NULL, NULL, path) < 0)
		return fail_memory(transaction->ws.ctx);
	return plan_change(transaction, path, &place, number, NULL);
}

int transaction_put_data(struct transaction *transaction, const char *path, const void *data, size_t length,
			 const struct stat *like, int source_fd)
{
	struct workspace_name name;
	CLEANUP_FD int fd = -1;
	struct place place;
	unsigned number;
	int r = begin_put(transaction, path, &place, &number);

	if (r < 0)
		return r;
	name = workspace_number(number, "");
	r = file_create(transaction->ws.new_fd, name.text, data, length, 0600, &fd);
	if (r == 0)
		r = tree_copy_attributes(source_fd, transaction->ws.new_fd, name.text, like);
	if (r < 0)
		return workspace_fail(&transaction->ws, r, "prepare the file", path);
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* so that the commit waits less */
	return add_move_in(transaction, path, &place, number);
}

static int copy_entry(const struct transaction *transaction, int source_fd, const char *source_path, const char *name,
		      const struct stat *like)
{
	const char *slash = strrchr(source_path, '/');
	CLEANUP_FREE char *parent = slash ? strndup(source_path, (size_t)(slash - source_path)) : strdup(".");
	CLEANUP_FD int fd = -1;

	if (!parent)
		return -ENOMEM;
	if (!journal_is_path(source_path))
		return -EINVAL;
	fd = tree_open_beneath(source_fd, parent, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	return tree_copy_entry(fd, slash ? slash + 1 : source_path, transaction->ws.new_fd, name, like);
}

int transaction_put_copy(struct transaction *transaction, const char *path, int source_fd, const char *source_path,
			 const struct stat *like)
{
	struct place place;
	unsigned number;
	int r = begin_put(transaction, path, &place, &number);

	if (r < 0)
		return r;
	r = copy_entry(transaction, source_fd, source_path, workspace_number(number, "").text, like);
	if (r < 0)
		return workspace_fail(&transaction->ws, r, "prepare a copy for", path);
	return add_move_in(transaction, path, &place, number);
}

int transaction_put_whiteout(struct transaction *transaction, const char *path)
{
	struct place place;
	unsigned number;
	int r = begin_put(transaction, path, &place, &number);

	if (r < 0)
		return r;
	if (mknodat(transaction->ws.new_fd, workspace_number(number, "").text, S_IFCHR, 0) < 0)
		return workspace_fail(&transaction->ws, errno, "prepare a whiteout for", path);
	return add_move_in(transaction, path, &place, number);
}

int transaction_put_entry(struct transaction *transaction, const char *path, int from_fd, const char *name)
{
	struct place place;
	unsigned number;
	int r = begin_put(transaction, path, &place, &number);

	if (r < 0)
		return r;
	if (renameat2(from_fd, name, transaction->ws.new_fd, workspace_number(number, "").text, RENAME_NOREPLACE) < 0)
		return workspace_fail(&transaction->ws, errno, "take over what shall be", path);
	return add_move_in(transaction, path, &place, number);
}

/* Notes a change of a directory that is there, "." being the top layer itself. */
static int add_change(struct transaction *transaction, enum journal_verb verb, const char *path,
		      const struct stat *like)
{
	struct place place = { 0 };
	int r = check_usable(transaction);

	if (r == 0 && text_equal(path, "."))
		r = fstat(transaction->ws.top_fd, &place.st) < 0 ? workspace_fail(&transaction->ws, errno, "open", path)
								 : 0;
	else if (r == 0)
		r = plan_find(transaction, path, false, &place);
	if (r < 0)
		return r;
	if (!text_equal(path, ".") && !place.exists)
		return workspace_fail(&transaction->ws, ENOENT, "change", path);
	if (!S_ISDIR(place.st.st_mode))
		return workspace_fail(&transaction->ws, ENOTDIR, "change", path);
	if (journal_add(&transaction->attributes, verb, 0, &place.st, like, path) < 0)
		return fail_memory(transaction->ws.ctx);
	return 0;
}

int transaction_set_attributes(struct transaction *transaction, const char *path, const struct stat *like)
{
	return add_change(transaction, JOURNAL_ATTRIBUTES, path, like);
}

int transaction_uncover(struct transaction *transaction, const char *path)
{
	return add_change(transaction, JOURNAL_UNCOVER, path, NULL);
}

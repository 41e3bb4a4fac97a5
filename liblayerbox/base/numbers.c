/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "numbers.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../util/attributes.h"
#include "../util/file.h"
#include "../util/tree.h"

enum { FILE_BYTES_MAX = 16 << 20 };

static const struct account_file {
	const char *name;
	bool has_numbers;             /* the third field is one */
	const char *kind;
} files[] = {
	{ "passwd", true, "user" },
	{ "group", true, "group" },
	{ "shadow", false, NULL },
	{ "gshadow", false, NULL },
};

enum { FILES = sizeof files / sizeof *files };

/* ---- reading ---- */

struct accounts {
	char *text;                   /* cut into lines */
	struct account {
		const char *name;
		size_t name_length;
		const char *line;
		uint64_t number;      /* UINT64_MAX: none */
	} *items;
	size_t count;
};

static void accounts_free(struct accounts *accounts)
{
	free(accounts->items);
	free(accounts->text);
}

#define CLEANUP_ACCOUNTS CLEANUP(accounts_free)

static uint64_t number_of(const char *line)
{
	const char *field = line;
	char text[16];
	uint64_t number;

	for (int i = 0; i < 2; i++) {
		field = strchr(field, ':');
		if (!field)
			return UINT64_MAX;
		field++;
	}
	if (strcspn(field, ":") >= sizeof text)
		return UINT64_MAX;
	snprintf(text, sizeof text, "%.*s", (int)strcspn(field, ":"), field);
	return text_to_number(text, 0, UINT32_MAX, &number) ? number : UINT64_MAX;
}

static int add_line(struct accounts *accounts, const char *line, bool has_numbers)
{
	size_t n = strcspn(line, ":");
	struct account *larger;

	if (n == 0 || line[n] != ':')
		return 0;
	larger = reallocarray(accounts->items, accounts->count + 1, sizeof *larger);
	if (!larger)
		return -ENOMEM;
	accounts->items = larger;
	larger[accounts->count++] =
		(struct account){ line, n, line, has_numbers ? number_of(line) : UINT64_MAX };
	return 0;
}

/* None where there is no such file. */
static int read_accounts(struct lb_context *ctx, int tree_fd, const struct account_file *file,
			 struct accounts *accounts)
{
	char path[32];
	int r;

	snprintf(path, sizeof path, "etc/%s", file->name);
	r = tree_read_in_root(tree_fd, path, FILE_BYTES_MAX, &accounts->text);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail_errno(ctx, r, "cannot read /%s of the base", path);
	for (char *rest = accounts->text, *line; r == 0 && (line = strsep(&rest, "\n"));)
		r = add_line(accounts, line, file->has_numbers);
	return r < 0 ? fail_memory(ctx) : 0;
}

static const struct account *find(const struct accounts *accounts, const struct account *like)
{
	for (size_t i = 0; i < accounts->count; i++)
		if (accounts->items[i].name_length == like->name_length &&
		    memcmp(accounts->items[i].name, like->name, like->name_length) == 0)
			return &accounts->items[i];
	return NULL;
}

static const struct account *find_number(const struct accounts *accounts, uint64_t number)
{
	for (size_t i = 0; i < accounts->count; i++)
		if (accounts->items[i].number == number)
			return &accounts->items[i];
	return NULL;
}

/* A name for a sentence. */
static const char *shown(const struct account *account, char text[64])
{
	snprintf(text, 64, "%.*s", (int)(account->name_length < 60 ? account->name_length : 60), account->name);
	return text_printable(text);
}

/* ---- the same numbers ---- */

static int check_file(struct lb_context *ctx, int before_fd, int after_fd, const struct account_file *file,
		      const char *what)
{
	CLEANUP_ACCOUNTS struct accounts before = { 0 };
	CLEANUP_ACCOUNTS struct accounts after = { 0 };
	char name[64];
	int r = read_accounts(ctx, before_fd, file, &before);

	if (r == 0)
		r = read_accounts(ctx, after_fd, file, &after);
	for (size_t i = 0; r == 0 && i < after.count; i++) {
		const struct account *old = find(&before, &after.items[i]);

		if (old && old->number != after.items[i].number)
			r = fail(ctx, -LB_ERR_DAMAGED,
				 "the %s '%s' has the number %lld in %s and would have %lld now: files of containers "
				 "have "
				 "the old one. Give it the old one back, by a command or in its package",
				 file->kind, shown(old, name), (long long)old->number, what,
				 (long long)after.items[i].number);
	}
	return r;
}

int numbers_check(struct lb_context *ctx, int before_fd, int after_fd, const char *what)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < FILES; i++)
		if (files[i].has_numbers)
			r = check_file(ctx, before_fd, after_fd, &files[i], what);
	return r;
}

/* ---- carried over ---- */

static int add_missing(struct lb_context *ctx, const struct account_file *file, const struct accounts *from,
		       const struct accounts *lower, struct buffer *text)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct account *account = &from->items[i], *taken;
		char own[64], other[64];

		if (find(lower, account))
			continue;
		taken = file->has_numbers ? find_number(lower, account->number) : NULL;
		if (taken)
			return fail(ctx, -LB_ERR_DAMAGED,
				    "the %s '%s' has the number %lld, and so has '%s' in the parent's new generation",
				    file->kind, shown(account, own), (long long)account->number, shown(taken, other));
		buffer_format(text, "%s\n", account->line);
	}
	return 0;
}

/* As the lower layer has it; where that has none, as the tree that it comes from. */
static int lay_file(int upper_etc, int like_etc, const char *name, const struct buffer *text)
{
	CLEANUP_FD int fd = -1;
	struct stat st;
	int r;

	if (fstatat(like_etc, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	r = file_create(upper_etc, name, text->data, text->length, 0600, &fd);
	if (r == 0 && (fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 07777) < 0))
		r = -errno;
	return r;
}

static int carry_file(struct lb_context *ctx, const struct account_file *file, const int trees[3], const int etcs[3])
{
	CLEANUP_ACCOUNTS struct accounts from = { 0 };
	CLEANUP_ACCOUNTS struct accounts lower = { 0 };
	CLEANUP_BUFFER struct buffer text = { 0 };
	int r = read_accounts(ctx, trees[0], file, &from);

	if (r == 0)
		r = read_accounts(ctx, trees[1], file, &lower);
	for (size_t i = 0; r == 0 && i < lower.count; i++)
		buffer_format(&text, "%s\n", lower.items[i].line);
	if (r == 0)
		r = add_missing(ctx, file, &from, &lower, &text);
	if (r < 0 || from.count == 0)
		return r;
	if (text.failed)
		return fail_memory(ctx);
	r = lay_file(etcs[2], lower.text ? etcs[1] : etcs[0], file->name, &text);
	return r < 0 ? fail_errno(ctx, r, "cannot lay the accounts of the last generation into /etc/%s", file->name)
		     : 0;
}

int numbers_carry(struct lb_context *ctx, int from_fd, int lower_fd, int upper_fd)
{
	CLEANUP_FD int from_etc = tree_open_beneath(from_fd, "etc", O_RDONLY | O_DIRECTORY);
	CLEANUP_FD int lower_etc = tree_open_beneath(lower_fd, "etc", O_RDONLY | O_DIRECTORY);
	CLEANUP_FD int upper_etc = -1;
	int r;

	if (from_etc < 0 || lower_etc < 0)
		return fail(ctx, -LB_ERR_DAMAGED, "the base has no directory /etc");
	if (mkdirat(upper_fd, "etc", 0700) < 0)
		return fail_errno(ctx, errno, "cannot make /etc in the upper layer");
	upper_etc = tree_open_beneath(upper_fd, "etc", O_RDONLY | O_DIRECTORY);
	r = upper_etc < 0 ? upper_etc : attributes_copy(lower_etc, upper_etc);
	if (r < 0)
		return fail_errno(ctx, r, "cannot make /etc in the upper layer");
	for (size_t i = 0; r == 0 && i < FILES; i++)
		r = carry_file(ctx, &files[i], (int[]){ from_fd, lower_fd, upper_fd },
			       (int[]){ from_etc, lower_etc, upper_etc });
	return r;
}

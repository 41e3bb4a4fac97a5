/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sendmail.h"

#include <time.h>

#include "../util/spawn.h"

enum { LINE_MAX_BYTES = 900 }; /* RFC 5322 ends lines at 998 */

/* Headers are ASCII: what is not becomes a question mark, and so does what would end the line. */
static void add_header(struct buffer *buffer, const char *name, const char *value)
{
	buffer_format(buffer, "%s: ", name);
	for (size_t i = 0; value[i] && i < LINE_MAX_BYTES; i++) {
		unsigned char c = (unsigned char)value[i];

		buffer_add(buffer, c < ' ' || c >= 0x7f ? "?" : value + i, 1);
	}
	buffer_add_text(buffer, "\n");
}

/* With the names of RFC 5322, which strftime(3) has in the caller's language. */
static void add_date(struct buffer *buffer, int64_t seconds)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t when = (time_t)seconds;
	struct tm tm;
	long offset;

	if (!localtime_r(&when, &tm))
		return;
	offset = labs(tm.tm_gmtoff) / 60;
	buffer_format(buffer, "Date: %s, %d %s %d %02d:%02d:%02d %c%02ld%02ld\n", days[tm.tm_wday], tm.tm_mday,
		      months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
		      tm.tm_gmtoff < 0 ? '-' : '+', offset / 60, offset % 60);
}

/* A line that is too long goes on in the next one; no character is cut in two. */
static void add_line(struct buffer *buffer, struct slice line)
{
	while (line.length > LINE_MAX_BYTES) {
		size_t n = LINE_MAX_BYTES;

		while (n > 1 && ((unsigned char)line.data[n] & 0xc0) == 0x80)
			n--;
		buffer_add_slice(buffer, slice_head(line, n));
		buffer_add_text(buffer, "\n");
		line = slice_tail(line, n);
	}
	buffer_add_slice(buffer, line);
	buffer_add_text(buffer, "\n");
}

static void add_addresses(struct buffer *buffer, const char *addresses)
{
	CLEANUP_BUFFER struct buffer joined = { 0 };
	struct slice rest = slice_of(addresses), address;

	while (slice_cut(&rest, ' ', &address)) {
		buffer_add_text(&joined, joined.length ? ", " : "");
		buffer_add_slice(&joined, address);
	}
	buffer_add(&joined, "", 1);
	if (!joined.failed)
		add_header(buffer, "To", joined.data);
}

char *mail_compose(const struct mail *mail)
{
	CLEANUP_BUFFER struct buffer buffer = { 0 };
	struct slice rest = slice_of(mail->text), line;

	add_addresses(&buffer, mail->to);
	add_header(&buffer, "Subject", mail->subject);
	add_date(&buffer, mail->time);
	add_header(&buffer, "Auto-Submitted", "auto-generated");
	add_header(&buffer, "MIME-Version", "1.0");
	add_header(&buffer, "Content-Type", "text/plain; charset=utf-8");
	add_header(&buffer, "Content-Transfer-Encoding", "8bit");
	buffer_add_text(&buffer, "\n");
	while (slice_cut(&rest, '\n', &line))
		add_line(&buffer, line);
	return buffer_finish(&buffer);
}

/* A mail server may deliver by a process that it leaves behind: Debian's exim4 does. */
int mail_send(const struct mail *mail, unsigned timeout_s, int *ret_status, char **ret_output)
{
	CLEANUP_FREE char *text = mail_compose(mail);
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	const struct spawn_options options = { .input = text, .timeout_s = timeout_s, .own_session = true };

	if (!text || text_list_add_words(&argv, SENDMAIL " -oi --") < 0 || text_list_add_words(&argv, mail->to) < 0)
		return -ENOMEM;
	return spawn_run((const char *const *)argv.items, &options, ret_status, ret_output);
}

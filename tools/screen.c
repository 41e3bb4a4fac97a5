/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* xterm's words, which every terminal of today knows. Lines are not wrapped: one that is too long is cut off. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

static struct termios saved_mode;
static bool is_open;
static volatile sig_atomic_t was_resized, must_end;

static void on_signal(int signal)
{
	if (signal == SIGWINCH)
		was_resized = 1;
	else
		must_end = 1;
}

/* They come while screen_wait() sleeps, and never in the middle of something else. */
static void catch_signals(void)
{
	static const int signals[] = { SIGWINCH, SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		sigaddset(&set, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void put(const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(STDOUT_FILENO, text, length);

		if (n < 0 && errno != EINTR)
			return;
		text += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
	}
}

bool screen_open(void)
{
	struct termios mode;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &saved_mode) < 0)
		return false;
	catch_signals();
	mode = saved_mode;
	/* Without ISIG, Ctrl-Z cannot stop it while the screen is taken; Ctrl-C is a key then. */
	mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	/* Ctrl-S would hold up a write, and with it the signals that only screen_wait() lets through. */
	mode.c_iflag &= ~(tcflag_t)IXON;
	mode.c_cc[VMIN] = 0;
	mode.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode);
	put(ENTER, strlen(ENTER));
	is_open = true;
	return true;
}

void screen_close(void)
{
	if (!is_open)
		return;
	is_open = false;
	put(LEAVE, strlen(LEAVE));
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved_mode);
}

struct screen screen_size(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
		return (struct screen){ 80, 24 };
	return (struct screen){ size.ws_col, size.ws_row };
}

/* Each line is written over the old one, and its rest cleared: nothing goes dark in between. */
void screen_paint(const char *text)
{
	size_t lines = screen_size().height, length;
	FILE *out;
	char *data;

	out = open_memstream(&data, &length);
	if (!out)
		return;
	fputs(HOME, out);
	for (size_t line = 0; *text && line < lines; line++) {
		size_t n = strcspn(text, "\n");

		fprintf(out, "%s%.*s%s", line ? "\r\n" : "", (int)n, text, CLEAR_LINE);
		text += n + (text[n] == '\n');
	}
	fputs(CLEAR_BELOW, out);
	if (fclose(out) == 0)
		put(data, length);
	free(data);
}

static int read_key(short events)
{
	unsigned char key;

	if (events & POLLIN && read(STDIN_FILENO, &key, 1) == 1)
		return key == 3 || key == 4 ? SCREEN_END : key; /* Ctrl-C, Ctrl-D */
	return SCREEN_END;
}

int screen_wait(unsigned milliseconds)
{
	struct timespec timeout = { .tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000 };
	struct pollfd keys = { .fd = STDIN_FILENO, .events = POLLIN };
	sigset_t none;
	int n;

	sigemptyset(&none);
	n = ppoll(&keys, 1, &timeout, &none);
	if (must_end || (n < 0 && errno != EINTR))
		return SCREEN_END;
	if (was_resized) {
		was_resized = 0;
		return SCREEN_RESIZED;
	}
	return n > 0 ? read_key(keys.revents) : SCREEN_TIMEOUT;
}

/** Lists, page by page or thing by thing. */

/** Await it for the first page; iterate it (`for await`) for every thing of every page. Asks only when used. */
export class Pages<Page, Item> implements PromiseLike<Page>, AsyncIterable<Item> {
  private first: Promise<Page> | undefined;

  constructor(
    private readonly fetchPage: (next: Next | undefined) => Promise<Page>,
    private readonly itemsOf: (page: Page) => readonly Item[],
    private readonly nextAfter: (page: Page, seen: number) => Next | undefined,
  ) {}

  then<A = Page, B = never>(
    fulfilled?: ((page: Page) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.firstPage().then(fulfilled, rejected);
  }

  catch<B = never>(rejected: (error: unknown) => B | PromiseLike<B>): Promise<Page | B> {
    return this.firstPage().catch(rejected);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const page of this.pages()) yield* this.itemsOf(page);
  }

  async *pages(): AsyncGenerator<Page, void, undefined> {
    let page = await this.firstPage();
    let seen = 0;
    for (;;) {
      yield page;
      const count = this.itemsOf(page).length;
      seen += count;
      const next = count > 0 ? this.nextAfter(page, seen) : undefined;
      if (!next) return;
      page = await this.fetchPage(next);
    }
  }

  private firstPage(): Promise<Page> {
    this.first ??= this.fetchPage(undefined);
    return this.first;
  }
}

export type Next = { cursor: string } | { offset: number };

/** Lists that count: `{total, offset, limit}`. */
export function byOffset<Page extends { total: number }>(start: number): (page: Page, seen: number) => Next | undefined {
  return (page, seen) => (start + seen < page.total ? { offset: start + seen } : undefined);
}

/** Lists that go on from where they stopped, so that what is new meanwhile repeats nothing. */
export function byCursor<Page extends { next_cursor: string | null }>(): (page: Page) => Next | undefined {
  return (page) => (page.next_cursor === null ? undefined : { cursor: page.next_cursor });
}

// What a collection of the heap is to do with compiled code, which is memory like any other and is made again where it is called again.

export interface Collection {
  /** `dropped`: all of it. What starts a program is most of it then, and never runs again. */
  readonly code: 'kept' | 'dropped';
}
